"""Numbers that others have published, beside ours."""
