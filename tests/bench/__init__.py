"""`make bench`: whole-process time and memory beside the peers, on the same inputs."""
