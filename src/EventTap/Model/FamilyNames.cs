using System.Text;

namespace ConntrackStream.EventTap.Model;

/// <summary>Names of the families, as conntrack-tools spell them.</summary>
public static class FamilyNames
{
    private static readonly string IPv4 = Encoding.ASCII.GetString(FlowFamily.IPv4.Utf8Name());
    private static readonly string IPv6 = Encoding.ASCII.GetString(FlowFamily.IPv6.Utf8Name());

    /// <summary><c>ipv4</c> or <c>ipv6</c>; empty for <see cref="FlowFamily.Unspecified"/>.</summary>
    public static string Name(this FlowFamily family) => family switch
    {
        FlowFamily.IPv4 => IPv4,
        FlowFamily.IPv6 => IPv6,
        _ => "",
    };

    /// <inheritdoc cref="Name"/>
    public static ReadOnlySpan<byte> Utf8Name(this FlowFamily family) => family switch
    {
        FlowFamily.IPv4 => "ipv4"u8,
        FlowFamily.IPv6 => "ipv6"u8,
        _ => default,
    };

    /// <summary>Reads a name, as it is spelled.</summary>
    public static bool TryParse(ReadOnlySpan<byte> name, out FlowFamily family)
    {
        family = name.SequenceEqual(FlowFamily.IPv4.Utf8Name()) ? FlowFamily.IPv4
            : name.SequenceEqual(FlowFamily.IPv6.Utf8Name()) ? FlowFamily.IPv6
            : FlowFamily.Unspecified;
        return family != FlowFamily.Unspecified;
    }

    /// <inheritdoc cref="TryParse(ReadOnlySpan{byte}, out FlowFamily)"/>
    public static bool TryParse(string? name, out FlowFamily family)
    {
        family = name == IPv4 ? FlowFamily.IPv4 : name == IPv6 ? FlowFamily.IPv6 : FlowFamily.Unspecified;
        return family != FlowFamily.Unspecified;
    }
}
