"""What tests of parts are made of: generated spaces, measured errors, checks of claims."""
