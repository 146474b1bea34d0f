from ..template.series import is_ragged as is_ragged
from ..template.series import lies_in_series as lies_in_series
from ..template.series import read_series as read_series
from .features import SeriesFeatures as SeriesFeatures
from .forms import ragged as ragged
from .scaler import SeriesScaler as SeriesScaler
from .tables import from_frame as from_frame
from .ts import read_ts as read_ts
from .windows import windows as windows

__all__: list[str]
