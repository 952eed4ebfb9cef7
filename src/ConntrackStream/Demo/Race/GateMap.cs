using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Service.Demo.Race;

/// <summary>The map that a gate reads and writes; it stays its owner's.</summary>
/// <param name="Handle">Its descriptor.</param>
/// <param name="IsIPv6">The family of all its keys.</param>
/// <param name="HasLastSeen">Values of 16 bytes, as after 1.4.1; otherwise of 1.</param>
internal readonly record struct GateMap(SafeFileHandle Handle, bool IsIPv6, bool HasLastSeen)
{
    internal AgentKeyLayout Key => IsIPv6 ? AgentKeyLayout.V6 : AgentKeyLayout.V4;
}
