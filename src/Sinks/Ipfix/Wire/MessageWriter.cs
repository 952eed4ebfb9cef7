using System.Buffers.Binary;

namespace ConntrackStream.Sinks.Ipfix.Wire;

/// <summary>
/// One message (RFC 7011, section 3.1) in a buffer that is used again for the next. Records of one template that follow each other share a
/// set. Used by one thread at a time.
/// </summary>
/// <param name="maxLength">Of a message, in bytes: 65,535 at most.</param>
/// <param name="domain">Observation domain id.</param>
internal sealed class MessageWriter(int maxLength, uint domain)
{
    /// <summary>Version, length, export time, sequence number, observation domain id.</summary>
    internal const int HeaderLength = 16;

    internal const ushort Version = 10;

    private const int SetHeaderLength = 4; // set id, length

    private readonly byte[] _buffer = new byte[maxLength];
    private int _length = HeaderLength;
    private int _setStart; // 0: no set is open
    private ushort _setId;

    /// <summary>Data records in it.</summary>
    internal int Records { get; private set; }

    /// <summary>It has neither records nor templates.</summary>
    internal bool IsEmpty => _length == HeaderLength;

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

    /// <summary>Completes the message; valid until the next call.</summary>
    /// <param name="exportTime">Seconds since the Unix epoch.</param>
    /// <param name="sequence">Data records sent in this session before it, modulo 2^32.</param>
    internal ReadOnlySpan<byte> Complete(uint exportTime, uint sequence)
    {
        CloseSet();
        FieldWriter header = new(_buffer.AsSpan(0, HeaderLength));
        header.U16(Version);
        header.U16((ushort)_length);
        header.U32(exportTime);
        header.U32(sequence);
        header.U32(domain);
        return _buffer.AsSpan(0, _length);
    }

    /// <summary>Begins the next message.</summary>
    internal void Clear()
    {
        _length = HeaderLength;
        _setStart = 0;
        Records = 0;
    }

    private bool TryAdd(ushort setId, int length, out Span<byte> record)
    {
        bool isOpen = _setStart != 0 && _setId == setId;
        int start = _length + (isOpen ? 0 : SetHeaderLength);
        if (start + length > _buffer.Length)
        {
            record = default;
            return false;
        }

        if (!isOpen)
        {
            CloseSet();
            (_setStart, _setId) = (_length, setId);
        }

        record = _buffer.AsSpan(start, length);
        _length = start + length;
        return true;
    }

    private void CloseSet()
    {
        if (_setStart == 0)
            return;
        Span<byte> header = _buffer.AsSpan(_setStart, SetHeaderLength);
        BinaryPrimitives.WriteUInt16BigEndian(header, _setId);
        BinaryPrimitives.WriteUInt16BigEndian(header[sizeof(ushort)..], (ushort)(_length - _setStart));
        _setStart = 0;
    }
}
