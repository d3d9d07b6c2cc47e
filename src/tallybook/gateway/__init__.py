"""The metering gateway: a pass-through that adds tags and figures to calls, and never loses one."""
