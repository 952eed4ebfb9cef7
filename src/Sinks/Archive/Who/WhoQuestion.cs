using System.Text;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Sinks.Archive.Who;

/// <summary>Which flows had an address in a window of time?</summary>
/// <param name="Port">Of the same end; null for any.</param>
/// <param name="From">Begin of the window, ns since the Unix epoch.</param>
/// <param name="To">End of the window, likewise.</param>
/// <param name="Reach">Only records so many ns before and after the window are read; null for all.</param>
/// <param name="Filter">Other conditions, of those that hold for a whole life (<see cref="FlowFilter.IsStable"/>).</param>
internal sealed record WhoQuestion(
    FlowFamily Family, IpAddress Address, ushort? Port, long From, long To, long? Reach, FlowFilter Filter)
{
    /// <summary><paramref name="Filter"/> as the user wrote it, to be shown with the answer; empty for none.</summary>
    internal string FilterText { get; init; } = "";

    /// <summary>Texts of the lines that matter in a log of this format.</summary>
    internal LineNeedles Needles(RecordFormat format) => new(
        format == RecordFormat.Text ? [(byte)'=', .. Needle().AsSpan()[..^1]] : Needle(), format.GapNeedle());

    /// <summary>
    /// Text that each line of JSON with the address has: as the flow log writes it, with the quotation mark behind it, so that 10.0.0.1 is
    /// not found in 10.0.0.11.
    /// </summary>
    internal byte[] Needle()
    {
        Utf8Writer text = new(stackalloc byte[IpAddress.MaxTextLength + 1]);
        text.Address(Address, Family);
        text.Byte((byte)'"');
        return text.Written.ToArray();
    }

    internal string AddressText => Encoding.ASCII.GetString(Needle().AsSpan()[..^1]);

    internal bool Matches(in Flow flow) => HasEnd(flow) && Filter.Matches(flow);

    /// <summary>One of its ends is the one that is asked for.</summary>
    internal bool HasEnd(in Flow flow) =>
        flow.Original.Family == Family && (IsAnEnd(flow.Original) || (flow.Has(FlowFields.Reply) && IsAnEnd(flow.Reply)));

    private bool IsAnEnd(in FlowTuple tuple) =>
        (tuple.Source == Address && IsPort(tuple, tuple.SourcePort))
        || (tuple.Destination == Address && IsPort(tuple, tuple.DestinationPort));

    private bool IsPort(in FlowTuple tuple, ushort port) => Port is not { } wanted || (!tuple.IsIcmp && port == wanted);
}
