"""Reports as pages: one file each, to be read, printed and passed on."""
