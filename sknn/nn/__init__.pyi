from .activation import Activation as Activation
from .conv import Conv as Conv
from .conv import Flatten as Flatten
from .conv import GlobalPool as GlobalPool
from .conv import Pool as Pool
from .dense import Dense as Dense
from .dropout import Dropout as Dropout
from .inputs import Standardise as Standardise
from .inputs import Unflatten as Unflatten
from .layer import Context as Context
from .layer import Layer as Layer
from .layer import Store as Store
from .network import Network as Network
from .network import value_and_grad as value_and_grad
from .norm import BatchNorm as BatchNorm
from .norm import LayerNorm as LayerNorm
from .residual import Residual as Residual

__all__: list[str]
