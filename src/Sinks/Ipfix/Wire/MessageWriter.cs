using System.Buffers.Binary;

namespace ConntrackStream.Sinks.Ipfix.Wire;

/// <summary>
/// Messages (RFC 7011, section 3.1) one behind the other in a buffer that is used again and again. Records of one template that follow each
/// other share a set. Used by one thread at a time.
/// </summary>
/// <param name="maxLength">Of a message, in bytes: 65,535 at most.</param>
/// <param name="domain">Observation domain id.</param>
/// <param name="most">Messages in the buffer.</param>
internal sealed class MessageWriter(int maxLength, uint domain, int most = 1)
{
    /// <summary>Version, length, export time, sequence number, observation domain id.</summary>
    internal const int HeaderLength = 16;

    internal const ushort Version = 10;

    private const int SetHeaderLength = 4; // set id, length

    private readonly byte[] _buffer = new byte[maxLength * most];
    private int _begin; // of the message that is being written
    private int _end = HeaderLength;
    private int _setStart; // 0: no set is open
    private ushort _setId;

    /// <summary>Data records in the present message.</summary>
    internal int Records { get; private set; }

    /// <summary>The present message has neither records nor templates.</summary>
    internal bool IsEmpty => _end == _begin + HeaderLength;

    /// <summary>There is room for the present message, however long it becomes.</summary>
    internal bool HasRoom => _begin + maxLength <= _buffer.Length;

    /// <summary>The messages before the present one.</summary>
    internal ReadOnlySpan<byte> Before => _buffer.AsSpan(0, _begin);

    /// <summary>Messages in the buffer at most.</summary>
    internal int Most => most;

    /// <summary>Room for a data record; false when the message is full.</summary>
    internal bool TryAdd(Template template, out Span<byte> record)
    {
        if (!TryAdd(template.Id, template.RecordLength, out record))
            return false;
        Records++;
        return true;
    }

    /// <summary>Adds a template or an options template itself; false when the message is full.</summary>
    internal bool TryAddTemplate(Template template)
    {
        if (!TryAdd(template.Set, template.Length, out Span<byte> record))
            return false;
        template.Write(record);
        return true;
    }

    /// <summary>Completes the present message; valid until anything is added.</summary>
    /// <param name="exportTime">Seconds since the Unix epoch.</param>
    /// <param name="sequence">Data records sent in this session before it, modulo 2^32.</param>
    internal ReadOnlySpan<byte> Complete(uint exportTime, uint sequence)
    {
        CloseSet();
        Span<byte> message = _buffer.AsSpan(_begin.._end);
        FieldWriter header = new(message);
        header.U16(Version);
        header.U16((ushort)message.Length);
        header.U32(exportTime);
        header.U32(sequence);
        header.U32(domain);
        return message;
    }

    /// <summary>Begins the next message, behind the present one. It needs <see cref="HasRoom"/>.</summary>
    internal void Next() => Begin(_end);

    /// <summary>Forgets all messages.</summary>
    internal void Clear() => Begin(0);

    private void Begin(int at)
    {
        (_begin, _end) = (at, at + HeaderLength);
        _setStart = 0;
        Records = 0;
    }

    private bool TryAdd(ushort setId, int length, out Span<byte> record)
    {
        bool isOpen = _setStart != 0 && _setId == setId;
        int start = _end + (isOpen ? 0 : SetHeaderLength);
        if (start + length > _begin + maxLength)
        {
            record = default;
            return false;
        }

        if (!isOpen)
        {
            CloseSet();
            (_setStart, _setId) = (_end, setId);
        }

        record = _buffer.AsSpan(start, length);
        _end = start + length;
        return true;
    }

    private void CloseSet()
    {
        if (_setStart == 0)
            return;
        Span<byte> header = _buffer.AsSpan(_setStart, SetHeaderLength);
        BinaryPrimitives.WriteUInt16BigEndian(header, _setId);
        BinaryPrimitives.WriteUInt16BigEndian(header[sizeof(ushort)..], (ushort)(_end - _setStart));
        _setStart = 0;
    }
}
