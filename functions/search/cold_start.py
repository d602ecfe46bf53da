"""The search application of this process. Importing this module is the cold start: settings, fetch, imports."""

import gc
import os
import sys

# Imports make many objects and hardly any garbage; collecting it took a twelfth of a cold start's processor time.
gc.disable()
# The threads that fetch need Python's lock again and again, for a moment each time. Imports would keep it for 5 ms.
_usual_interval = sys.getswitchinterval()
sys.setswitchinterval(0.0005)

from functions.search.current_generation import CurrentGeneration  # noqa: E402
from functions.settings import SearchSettings  # noqa: E402

settings = SearchSettings.read(os.environ)
current = CurrentGeneration(settings.index_uri, settings.refresh_seconds)
if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    current.start()
else:
    # functions-framework's server forks its worker after this import, and threads would stay behind in the parent.
    os.register_at_fork(after_in_child=current.start)

# The heavy imports come after the fetch has started, and run while it waits for storage. The first is what it opens the
# files with, which then runs beside the others.
import embeddings.index.generation  # noqa: E402, F401
from functions.search.admission import Gate, most_requests  # noqa: E402
from functions.search.application import Application  # noqa: E402

application = Application(settings, current, Gate(most_requests(os.environ)))
if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
    # The snapshot must hold the index, and no connection that would be waiting for an answer when it is restored.
    current.settle()
sys.setswitchinterval(_usual_interval)
gc.freeze()  # what exists now stays: no later collection need look at it
gc.enable()
