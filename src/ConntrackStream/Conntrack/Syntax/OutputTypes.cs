namespace ConntrackStream.Service.Conntrack.Syntax;

/// <summary>What <c>-o</c> asks for.</summary>
[Flags]
internal enum OutputTypes
{
    None = 0,
    Xml = 1 << 0,
    Extended = 1 << 1,
    Timestamp = 1 << 2,
    Id = 1 << 3,
    KernelTimestamp = 1 << 4,
    Labels = 1 << 5,
    Save = 1 << 6,
}
