using System.Runtime.InteropServices;

namespace ConntrackStream.EventTap.Netlink;

/// <summary>
/// The netlink messages of one datagram: <c>while (messages.Next())</c>. A length below the header's or beyond the datagram ends the walk
/// and sets <see cref="Malformed"/>, since nothing tells where the next message would begin.
/// </summary>
internal ref struct MessageReader(ReadOnlySpan<byte> datagram)
{
    private ReadOnlySpan<byte> _rest = datagram;

    internal MessageHeader Header;

    /// <summary>The current message, header included: exactly nlmsg_len bytes.</summary>
    internal ReadOnlySpan<byte> Message { get; private set; }

    /// <summary>The current message without its header.</summary>
    internal readonly ReadOnlySpan<byte> Payload => Message[Nlmsg.HeaderLength..];

    internal bool Malformed { get; private set; }

    internal bool Next()
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
