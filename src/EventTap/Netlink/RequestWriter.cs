using System.Buffers.Binary;
using System.Text;

namespace ConntrackStream.EventTap.Netlink;

/// <summary>
/// Builds netlink messages, one after another, into a buffer. Requests are small and their buffers are sized for the largest one, so
/// running out of room is a fault of the caller: <see cref="InvalidOperationException"/>.
/// </summary>
public ref struct RequestWriter(Span<byte> buffer)
{
    private readonly Span<byte> _buffer = buffer;
    private int _message; // where the current message begins
    private int _length;

    /// <summary>All messages so far; the last one must be ended.</summary>
    public readonly ReadOnlySpan<byte> Written => _buffer[.._length];

    /// <summary>struct nlmsghdr and struct nfgenmsg. NLM_F_REQUEST is added.</summary>
    public void BeginNetfilter(ushort type, int flags, uint sequence, byte family, byte version = Nfnl.NFNETLINK_V0)
    {
        BeginMessage(type, flags, sequence);
        Span<byte> nfgenmsg = Take(Nfnl.HeaderLength);
        nfgenmsg[0] = family; // nfgen_family
        nfgenmsg[1] = version;
    }

    /// <summary>struct nlmsghdr. NLM_F_REQUEST is added.</summary>
    public void BeginMessage(ushort type, int flags, uint sequence)
    {
        _message = _length;
        Span<byte> header = Take(Nlmsg.HeaderLength);
        BinaryPrimitives.WriteUInt16LittleEndian(header[4..], type); // nlmsg_type
        BinaryPrimitives.WriteUInt16LittleEndian(header[6..], (ushort)(flags | Nlmsg.NLM_F_REQUEST)); // nlmsg_flags
        BinaryPrimitives.WriteUInt32LittleEndian(header[8..], sequence); // nlmsg_seq
    }

    /// <summary>Fills nlmsg_len.</summary>
    public readonly void EndMessage() => BinaryPrimitives.WriteInt32LittleEndian(_buffer[_message..], _length - _message);

    /// <summary>Opens a nest; give the result to <see cref="EndNest"/>.</summary>
    public int BeginNest(ushort type)
    {
        int start = _length;
        Put((ushort)(type | Nlmsg.NLA_F_NESTED), 0);
        return start;
    }

    /// <summary>Closes the nest that <see cref="BeginNest"/> opened.</summary>
    public readonly void EndNest(int start) => BinaryPrimitives.WriteUInt16LittleEndian(_buffer[start..], (ushort)(_length - start));

    /// <summary>An attribute of one byte.</summary>
    public void PutU8(ushort type, byte value) => Put(type, 1)[0] = value;

    /// <summary>__be16</summary>
    public void PutU16(ushort type, ushort value) => BinaryPrimitives.WriteUInt16BigEndian(Put(type, 2), value);

    /// <summary>__be32</summary>
    public void PutU32(ushort type, uint value) => BinaryPrimitives.WriteUInt32BigEndian(Put(type, 4), value);

    /// <summary>With the terminating NUL.</summary>
    public void PutString(ushort type, string value) => Encoding.UTF8.GetBytes(value, Put(type, Encoding.UTF8.GetByteCount(value) + 1));

    /// <summary>An attribute whose value, <paramref name="length"/> zero bytes, the caller fills.</summary>
    public Span<byte> Put(ushort type, int length)
    {
        Span<byte> attribute = Take(4 + length);
        BinaryPrimitives.WriteUInt16LittleEndian(attribute, (ushort)(4 + length)); // nla_len
        BinaryPrimitives.WriteUInt16LittleEndian(attribute[2..], type); // nla_type
        return attribute.Slice(4, length);
    }

    /// <summary>Zeroed space of at least <paramref name="length"/> bytes, padded to four: for a family's own header.</summary>
    public Span<byte> Take(int length)
    {
        int aligned = Nlmsg.Align(length);
        if (aligned > _buffer.Length - _length)
            throw new InvalidOperationException("The netlink request does not fit its buffer.");
        Span<byte> taken = _buffer.Slice(_length, aligned);
        taken.Clear();
        _length += aligned;
        return taken;
    }
}
