namespace ConntrackStream.Sinks.Ipfix.Wire;

/// <summary>A field specifier of a template: RFC 7011, section 3.2.</summary>
/// <param name="Element">What it is; with an enterprise, one of that enterprise's.</param>
/// <param name="Length">In bytes.</param>
/// <param name="Enterprise">Whose element it is; 0: IANA's.</param>
internal readonly record struct Field(Element Element, ushort Length, uint Enterprise = 0)
{
    /// <summary>RFC 5103: the same element of the reverse direction.</summary>
    internal const uint Reverse = 29305;

    /// <summary>Netfilter's, as ulogd2 uses it.</summary>
    internal const uint Netfilter = 21373;

    private const ushort EnterpriseBit = 0x8000;

    /// <summary>Of the specifier itself.</summary>
    internal int SpecifierLength => Enterprise == 0 ? 4 : 8;

    internal void Write(ref FieldWriter writer)
    {
        writer.U16((ushort)((ushort)Element | (Enterprise == 0 ? 0 : EnterpriseBit)));
        writer.U16(Length);
        if (Enterprise != 0)
            writer.U32(Enterprise);
    }
}
