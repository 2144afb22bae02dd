"""What the denoiser `orbit-attention` promises, tried on generated cases."""

from wsf_orbit_attention import OrbitAttention

from wsframework.testing import Subject, parametrize_with_checks


@parametrize_with_checks([OrbitAttention, Subject(OrbitAttention, {"heads": 1, "layers": 1}, examples=5)])
def test_it_keeps_its_promises(part, check):
    """Each promise of a denoiser, and the claim to be equivariant."""
    check(part)
