using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;

namespace ConntrackStream.EventTap.Conntrack;

public sealed partial class ConntrackClient
{
    /// <summary>
    /// The kernel's answers to the requests <c>first</c> to <c>first + count - 1</c>, message by message. Left out are answers to earlier requests
    /// that were given up, and what other processes send to this socket.
    /// </summary>
    private ref struct Answers(ConntrackClient client, string operation, uint first, uint count)
    {
        private MessageReader _messages;

        /// <summary>When the current message was received, ns since the Unix epoch.</summary>
        internal long ReceivedAt { get; private set; }

        /// <summary>Datagrams with a bad message length; what follows it there is lost.</summary>
        internal long Malformed { get; private set; }

        internal readonly MessageHeader Header => _messages.Header;

        internal readonly ReadOnlySpan<byte> Message => _messages.Message;

        /// <summary>Which of the requests the current message answers, from 0.</summary>
        internal readonly uint Index => _messages.Header.Sequence - first;

        /// <summary>Waits for the next message.</summary>
        /// <exception cref="NetlinkException">Receiving failed, or nothing came in time (EAGAIN).</exception>
        internal void Next()
        {
            do
            {
                while (!_messages.Next())
                    Receive();
            }
            while (Index >= count);
        }

        /// <summary>Whether the current message is an error or acknowledgement.</summary>
        internal readonly bool TryReadError(out ErrorMessage error)
        {
            error = default;
            return Header.Type == Nlmsg.NLMSG_ERROR && ErrorMessage.TryRead(Header, _messages.Payload, out error);
        }

        /// <summary>The error that ended a dump; none if it is complete.</summary>
        internal readonly ErrorMessage ReadDone() => ErrorMessage.TryRead(Header, _messages.Payload, out ErrorMessage error) ? error : default;

        private void Receive()
        {
            if (_messages.Malformed)
                Malformed++;
            _messages = default;
            int length = client._socket.ReceiveFrom(client._answer, out uint sender);
            if (length < 0)
                throw new NetlinkException(operation, (Errno)(-length));
            if (sender != 0)
                return;
            if (length > client._answer.Length)
                throw new NetlinkException(operation, Errno.EMSGSIZE);
            ReceivedAt = client._time.UnixNanoseconds();
            _messages = new MessageReader(client._answer.AsSpan(0, length));
        }
    }
}
