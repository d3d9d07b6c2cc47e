"""One call, one charge: which of what several sources told of a call is billed, and why."""
