"""What benchmarks measure: networks."""
