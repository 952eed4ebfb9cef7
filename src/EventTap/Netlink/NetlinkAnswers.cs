using ConntrackStream.EventTap.Model;

namespace ConntrackStream.EventTap.Netlink;

/// <summary>
/// The kernel's answers to requests that have been sent, message by message: <c>while (answers.Next() == Errno.None)</c>. Left out are
/// answers to earlier requests that were given up, and what other processes send to the socket. Every exchange of this library reads its
/// answers here.
/// </summary>
public ref struct NetlinkAnswers
{
    private readonly NetlinkSocket _socket;
    private readonly Span<byte> _buffer;
    private readonly uint _first, _count;
    private readonly TimeProvider? _time;
    private readonly bool _wait;
    private MessageReader _messages;

    /// <summary>Prepares to read; receives nothing yet.</summary>
    /// <param name="socket">On which the requests were sent.</param>
    /// <param name="buffer">For one datagram at a time. 32 KiB hold any part of a dump, and all but the answers to very long
    /// requests.</param>
    /// <param name="first">nlmsg_seq of the first request.</param>
    /// <param name="count">How many there are, numbered one after another.</param>
    /// <param name="time">Gives <see cref="ReceivedAt"/>; null leaves it 0.</param>
    /// <param name="wait">False: takes what is queued only. rtnetlink and nf_tables answer within send(2), so that all of it is.</param>
    public NetlinkAnswers(NetlinkSocket socket, Span<byte> buffer, uint first, uint count = 1, TimeProvider? time = null, bool wait = true)
    {
        _socket = socket;
        _buffer = buffer;
        _first = first;
        _count = count;
        _time = time;
        _wait = wait;
    }

    /// <summary>When the current message was received, ns since the Unix epoch.</summary>
    public long ReceivedAt { get; private set; }

    /// <summary>Datagrams with a bad message length so far; what follows it there is lost.</summary>
    public long Malformed { get; private set; }

    /// <summary>
    /// The kernel has said that the table changed under a dump (NLM_F_DUMP_INTR): it may miss what was there all the time.
    /// </summary>
    public bool Interrupted { get; private set; }

    /// <summary>The current message's header.</summary>
    public readonly MessageHeader Header => _messages.Header;

    /// <summary>The current message, header included; valid until <see cref="Next"/>.</summary>
    public readonly ReadOnlySpan<byte> Message => _messages.Message;

    /// <summary>Which of the requests the current message answers, from 0.</summary>
    public readonly uint Index => _messages.Header.Sequence - _first;

    /// <summary>Goes on to the next message, which it receives if need be.</summary>
    /// <returns>
    /// None: there is one. EAGAIN: nothing is queued, or nothing came within the socket's receive timeout. EMSGSIZE: the buffer is too
    /// small, and the answer lost. Any other: receiving failed.
    /// </returns>
    public Errno Next()
    {
        do
        {
            while (!_messages.Next())
            {
                Errno errno = Receive();
                if (errno != Errno.None)
                    return errno;
            }
        }
        while (Index >= _count);
        Interrupted |= (Header.Flags & Nlmsg.NLM_F_DUMP_INTR) != 0 && Header.Type != Nlmsg.NLMSG_ERROR;
        return Errno.None;
    }

    /// <summary>
    /// Whether the current message is an error or acknowledgement (NLMSG_ERROR): EBADMSG when it is too short to say which.
    /// </summary>
    public readonly bool TryReadError(out ErrorMessage error)
    {
        error = default;
        if (Header.Type != Nlmsg.NLMSG_ERROR)
            return false;
        if (!ErrorMessage.TryRead(Header, _messages.Payload, out error))
            error = new ErrorMessage(Errno.EBADMSG, Text: null);
        return true;
    }

    /// <summary>
    /// Whether the current message ends its answer: an error or acknowledgement, or the end of a dump (NLMSG_DONE), which may carry an
    /// error.
    /// </summary>
    public readonly bool TryReadEnd(out ErrorMessage error)
    {
        if (Header.Type != Nlmsg.NLMSG_DONE)
            return TryReadError(out error);
        _ = ErrorMessage.TryRead(Header, _messages.Payload, out error); // without one it is complete
        return true;
    }

    private Errno Receive()
    {
        if (_messages.Malformed)
            Malformed++;
        _messages = default;
        int length = _socket.Receive(_buffer, out uint sender, _wait);
        if (length < 0)
            return (Errno)(-length);
        if (sender != 0)
            return Errno.None;
        if (length > _buffer.Length)
            return Errno.EMSGSIZE;
        ReceivedAt = _time?.UnixNanoseconds() ?? 0;
        _messages = new MessageReader(_buffer[..length]);
        return Errno.None;
    }
}
