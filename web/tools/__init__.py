"""The tools of the agent: one registry, one dispatch, one file of handlers per verb.

* `registry.py`: verb → handler. A tool is a file of the agent folder, and names its verb.
* `dispatch.py`: claim the call, validate its arguments, run its handler, store the answer.
* `submit.py`: a write request becomes intents in the journal. `amendments.py`: which earlier
  request it corrects, replaces or takes back.
* `turn.py`, `caller.py`: what the handlers of one message share; who is calling.
* `identify.py`, `read.py`, `create.py`, `comment.py`, `update.py`, `close.py`, `call_back.py`: the
  handlers. They return data: an Answer, or a WriteRequest.
"""
