"""Model folders as accident or malice would leave them, read by the hundred thousand: accepted, refused, or crashed."""
