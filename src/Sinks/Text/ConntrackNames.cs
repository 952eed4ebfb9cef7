using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Sinks.Text;

/// <summary>What libnetfilter_conntrack 1.0.9 prints: the names of the model, and a word for what has none.</summary>
internal static class ConntrackNames
{
    internal static ReadOnlySpan<byte> Protocol(IpProtocol protocol) =>
        protocol.Utf8Name() is { IsEmpty: false } name ? name : "unknown"u8;

    internal static ReadOnlySpan<byte> Family(FlowFamily family) =>
        family.Utf8Name() is { IsEmpty: false } name ? name : "unknown"u8;

    /// <summary>NONE for a number beyond the library's table; empty for a protocol without states.</summary>
    internal static ReadOnlySpan<byte> State(IpProtocol protocol, byte state) =>
        StateNames.Of(protocol, state) is { IsEmpty: false } name ? name : StateNames.Of(protocol, 0);

    /// <summary>The one bit, apart from UNREPLIED, that a line shows of a status.</summary>
    internal static FlowStatus Shown(FlowStatus status) =>
        (status & FlowStatus.HardwareOffload) != FlowStatus.None ? FlowStatus.HardwareOffload
        : (status & FlowStatus.Offload) != FlowStatus.None ? FlowStatus.Offload
        : status & FlowStatus.Assured;
}
