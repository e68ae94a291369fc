// Package chatkit is as much of ChatKit's custom-server protocol as a proxy needs:
// which operation a request asks for ([Scanner]), the frames of a stream
// ([Reader]), what they say about the turn ([Progress]), and the events that a
// proxy may have to write itself ([ErrorEvent], [NoticeEvent]).
//
// Everything passes byte for byte, known or not. Nothing here depends on HTTP.
package chatkit
