"""Networks for signals, images and volumes."""
