from . import augment as augment
from . import callbacks as callbacks
from . import inspection as inspection
from . import metrics as metrics
from . import nn as nn
from . import optim as optim
from . import pipeline as pipeline
from . import series as series
from .estimators.dense.hidden import HiddenLayerTransformer as HiddenLayerTransformer
from .estimators.dense.linear_neuron import PerceptronRegressor as PerceptronRegressor
from .estimators.dense.mlp import MLPClassifier as MLPClassifier
from .estimators.dense.mlp import MLPRegressor as MLPRegressor
from .estimators.dense.network import NetworkClassifier as NetworkClassifier
from .estimators.dense.network import NetworkRegressor as NetworkRegressor
from .estimators.dense.perceptron import PerceptronClassifier as PerceptronClassifier
from .estimators.images.cnn import CNNClassifier as CNNClassifier
from .estimators.images.cnn import CNNRegressor as CNNRegressor
from .estimators.images.vit import ViTClassifier as ViTClassifier
from .estimators.images.vit import ViTRegressor as ViTRegressor
from .estimators.sequences.forecaster import Forecaster as Forecaster
from .estimators.sequences.language_model import LanguageModel as LanguageModel
from .estimators.sequences.rnn import RNNClassifier as RNNClassifier
from .estimators.sequences.rnn import RNNRegressor as RNNRegressor
from .estimators.sequences.rnn import RNNSegmenter as RNNSegmenter
from .estimators.sequences.seq2seq import Seq2Seq as Seq2Seq
from .estimators.sequences.transformer import TransformerClassifier as TransformerClassifier
from .estimators.sequences.transformer import TransformerRegressor as TransformerRegressor
from .estimators.tables.ft_transformer import FTTransformerClassifier as FTTransformerClassifier
from .estimators.tables.ft_transformer import FTTransformerRegressor as FTTransformerRegressor
from .persistence.registry import register as register
from .persistence.saving import load as load
from .persistence.saving import save as save
from .versions import show_versions as show_versions

__version__: str
__all__: list[str]
