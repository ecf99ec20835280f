"""How often corrections are right, measured on labelled inputs."""
