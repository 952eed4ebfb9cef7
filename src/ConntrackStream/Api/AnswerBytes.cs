namespace ConntrackStream.Service.Api;

/// <summary>
/// An answer on its way to a terminal. The service escapes what it sends, but whoever made the socket may be another program: control
/// characters become '?', those of ISO 6429's upper half (0xC2 0x80 to 0x9F in UTF-8), too.
/// </summary>
internal struct AnswerBytes
{
    private byte _last; // of the piece before

    internal void Clean(Span<byte> piece)
    {
        foreach (ref byte next in piece)
        {
            bool isControl = next is (< (byte)' ' and not ((byte)'\n' or (byte)'\t')) or 0x7F
                || (_last == 0xC2 && next is >= 0x80 and <= 0x9F);
            _last = next;
            if (isControl)
                next = (byte)'?';
        }
    }
}
