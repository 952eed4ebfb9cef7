using System.Runtime.InteropServices;

namespace ConntrackStream.EventTap.Netlink;

/// <summary>
/// The netlink messages of one datagram: <c>while (messages.Next())</c>. A length below the header's or beyond the datagram ends the walk
/// and sets <see cref="Malformed"/>, since nothing says where the next message would begin.
/// </summary>
public ref struct MessageReader(ReadOnlySpan<byte> datagram)
{
    private ReadOnlySpan<byte> _rest = datagram;

    /// <summary>The current message's header.</summary>
    public MessageHeader Header;

    /// <summary>The current message, header included: exactly nlmsg_len bytes.</summary>
    public ReadOnlySpan<byte> Message { get; private set; }

    /// <summary>The current message without its header.</summary>
    public readonly ReadOnlySpan<byte> Payload => Message[Nlmsg.HeaderLength..];

    /// <summary>A message length was bad: what follows it in the datagram is lost.</summary>
    public bool Malformed { get; private set; }

    /// <summary>Goes on to the next message; false at the end and after a bad length.</summary>
    public bool Next()
    {
        if (_rest.IsEmpty)
            return false;
        if (!MemoryMarshal.TryRead(_rest, out Header) || Header.Length < Nlmsg.HeaderLength || Header.Length > (uint)_rest.Length)
        {
            Malformed = true;
            _rest = default;
            return false;
        }

        int length = (int)Header.Length;
        Message = _rest[..length];
        int next = Nlmsg.Align(length);
        _rest = next < _rest.Length ? _rest[next..] : default; // the last message may come without its padding
        return true;
    }
}
