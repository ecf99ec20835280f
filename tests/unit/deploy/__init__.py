"""What is deployed, as far as it can be checked without a container engine.

test_compose  the compose file, what it mounts and builds
test_image    the image and the scripts
"""
