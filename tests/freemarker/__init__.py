"""The FreeMarker engine against cases that the real engine decided."""
