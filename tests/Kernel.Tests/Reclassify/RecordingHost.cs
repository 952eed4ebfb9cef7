using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Reclassify.Classify;

namespace ConntrackStream.Kernel.Tests.Reclassify;

/// <summary>Keeps what a classifier tells.</summary>
internal sealed class RecordingHost : IClassifierHost
{
    private readonly List<AddressRange> _ranges = [];

    internal AddressRange[] Ranges
    {
        get
        {
            lock (_ranges)
                return [.. _ranges];
        }
    }

    public void Reconsider(in AddressRange range)
    {
        lock (_ranges)
            _ranges.Add(range);
    }

    public void Answer(in FlowQuestion question, in Verdict verdict) => throw new NotSupportedException();

    /// <summary>Whether flows with this address would be looked at again.</summary>
    internal bool Covers(string address)
    {
        IpAddress wanted = IpAddress.From(System.Net.IPAddress.Parse(address));
        FlowFamily family = address.Contains(':', StringComparison.Ordinal) ? FlowFamily.IPv6 : FlowFamily.IPv4;
        return Array.Exists(Ranges, range => range.Family == family && range.Contains(wanted));
    }

    internal void Clear()
    {
        lock (_ranges)
            _ranges.Clear();
    }
}
