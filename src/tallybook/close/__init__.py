"""Room 8: checklist, waivers, the close, and what comes late."""
