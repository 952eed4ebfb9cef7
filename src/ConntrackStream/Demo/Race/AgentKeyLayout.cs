namespace ConntrackStream.Service.Demo.Race;

/// <summary>
/// Offsets in struct conntrack_key of the agent's datapath (keys with ifindex), source address first. Written down here once more rather
/// than taken from the layouts of the product: a gate and a cleaner that shared a mistake would agree.
/// </summary>
internal sealed record AgentKeyLayout(
    int AddressLength, int SourcePort, int Destination, int DestinationPort, int Protocol, int Owner, int InterfaceIndex, int Length)
{
    internal static readonly AgentKeyLayout V4 = new(4, 4, 8, 12, 14, 16, 20, 24);
    internal static readonly AgentKeyLayout V6 = new(16, 16, 20, 36, 38, 40, 56, 60);
}
