package chatkit

// Operation is the type of a request.
type Operation string

// The operations that are answered by a stream.
const (
	ThreadsCreate              Operation = "threads.create"
	ThreadsAddUserMessage      Operation = "threads.add_user_message"
	ThreadsAddClientToolOutput Operation = "threads.add_client_tool_output"
	ThreadsAddStructuredInput  Operation = "threads.add_structured_input"
	ThreadsRetryAfterItem      Operation = "threads.retry_after_item"
	ThreadsCustomAction        Operation = "threads.custom_action"
)

// The operations that are answered by JSON.
const (
	ThreadsSyncCustomAction Operation = "threads.sync_custom_action"
	ThreadsGetByID          Operation = "threads.get_by_id"
	ThreadsList             Operation = "threads.list"
	ThreadsUpdate           Operation = "threads.update"
	ThreadsDelete           Operation = "threads.delete"
	ItemsList               Operation = "items.list"
	ItemsFeedback           Operation = "items.feedback"
	AttachmentsCreate       Operation = "attachments.create"
	AttachmentsDelete       Operation = "attachments.delete"
	InputTranscribe         Operation = "input.transcribe"
)

// operations says of each operation whether it is answered by a stream.
var operations = map[Operation]bool{
	ThreadsCreate: true, ThreadsAddUserMessage: true, ThreadsAddClientToolOutput: true,
	ThreadsAddStructuredInput: true, ThreadsRetryAfterItem: true, ThreadsCustomAction: true,

	ThreadsSyncCustomAction: false, ThreadsGetByID: false, ThreadsList: false,
	ThreadsUpdate: false, ThreadsDelete: false, ItemsList: false, ItemsFeedback: false,
	AttachmentsCreate: false, AttachmentsDelete: false, InputTranscribe: false,
}

// Known reports whether the operation is one of the protocol's.
func (o Operation) Known() bool {
	_, ok := operations[o]
	return ok
}

// Streams reports whether the operation is a turn: it is answered by a stream. One
// that is not known is not.
func (o Operation) Streams() bool { return operations[o] }

// InThread reports whether the operation names a thread.
func (o Operation) InThread() bool {
	switch o {
	case ThreadsCreate, ThreadsList, AttachmentsCreate, AttachmentsDelete, InputTranscribe:
		return false
	default:
		return true
	}
}

// Loads reports whether a page asks for this when it is loaded.
func (o Operation) Loads() bool { return o == ThreadsList || o == ThreadsGetByID }
