"""The edge that lives a made-up company's months through the public services of the other rooms."""
