"""Networks of dense layers: perceptrons, multi-layer perceptrons, own networks, their hidden layers as features."""
