package outage

import "github.com/caddy-chatkit/caddy-chatkit/internal/chatkit"

// What callers are told, where it is not the operator who says it.
const (
	backReason = "The assistant is back. Please start a new conversation."
	goneReason = "This conversation is no longer available. Please start a new one."
	awayReason = "The assistant is unavailable for the moment. Please come back later."

	missedTitle   = "While the assistant was away"
	missedMessage = "Others have answered in this conversation. The assistant has not seen what was said then."

	cutTitle   = "Answer cut short"
	cutMessage = "The answer was too long, or was stopped by a filter."
)

// What has to wait until a backend is back, as errors that end the turn.
var (
	actionWaits     = waits("This action has to wait until the assistant is back.")
	attachmentWaits = waits("Files have to wait until the assistant is back. Please send your message without them.")
	tooLongWaits    = waits("This message is too long for now. Please send a shorter one.")
	noMessage       = waits("There is no message to answer. Please write one.")

	// silent ends a turn for which no stand-in has an answer.
	silent = chatkit.ErrorEvent{Message: "The chat is unavailable for the moment", AllowRetry: true}
	// broken ends one that broke off.
	broken = chatkit.ErrorEvent{Code: chatkit.StreamError, AllowRetry: true}
)

func waits(sentence string) chatkit.ErrorEvent { return chatkit.ErrorEvent{Message: sentence} }
