"""How figures are drawn: style, overlays, what a picture of a family is."""
