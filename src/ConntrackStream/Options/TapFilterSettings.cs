namespace ConntrackStream.Service.Options;

/// <summary>
/// <c>Tap:Filter</c>: what the kernel delivers at all. A flow passes if it meets every list that is not empty.
/// The live view then claims no more than this.
/// </summary>
public sealed class TapFilterSettings
{
    /// <summary>Protocol names or numbers, such as tcp, udp, 47. Default: all.</summary>
    public string[] Protocols { get; set; } = [];

    /// <summary>Addresses or prefixes, matched against source and destination of both tuples. Default: all.</summary>
    public string[] Addresses { get; set; } = [];

    /// <summary>Conntrack zones. Default: all.</summary>
    public ushort[] Zones { get; set; } = [];
}
