"""What Exonym knows before it reads: people, places and organisations with their names."""
