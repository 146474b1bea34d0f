from .activation import Activation as Activation
from .applied import Applied as Applied
from .containers import Concat as Concat
from .containers import Residual as Residual
from .containers import Sequential as Sequential
from .conv import Conv as Conv
from .conv import Flatten as Flatten
from .conv import GlobalPool as GlobalPool
from .conv import Pool as Pool
from .dense import Dense as Dense
from .draws import Draws as Draws
from .dropout import Dropout as Dropout
from .inputs import Standardise as Standardise
from .inputs import Unflatten as Unflatten
from .layer import Context as Context
from .layer import Layer as Layer
from .layer import Store as Store
from .network import Network as Network
from .network import differentiate as differentiate
from .network import value_and_grad as value_and_grad
from .norm import BatchNorm as BatchNorm
from .norm import LayerNorm as LayerNorm
from .parts import Constants as Constants
from .parts import Nets as Nets
from .parts import Parts as Parts
from .sequences import Sequences as Sequences

__all__: list[str]
