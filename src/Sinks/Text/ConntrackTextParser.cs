using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Sinks.Text;

/// <summary>
/// Reads the lines that conntrack-tools print, of <c>conntrack -E</c> and <c>-L</c> with any of the options
/// <c>-o extended,id,timestamp,ktimestamp,labels</c>, and those of /proc/net/nf_conntrack: the inverse of <see cref="ConntrackText"/>.
/// </summary>
/// <remarks>
/// A line tells less than the kernel's message: of the status only replied, assured and offloaded, no window flags, times of
/// <c>ktimestamp</c> to the second. Where it only tells an age (<c>delta-time</c>), the flow's start is the whole second that many before
/// its stop or the event's time, so up to a second early. The age of what has expired runs to the expiry, which a DESTROY does not tell:
/// then that second is the latest at which the flow can have begun.
/// </remarks>
public static class ConntrackTextParser
{
    private const int QuotedLength = 40;

    /// <summary>
    /// Reads one line, without its line feed, into <paramref name="e"/>, whose <see cref="FlowEvent.Time"/>
    /// stays as it is if the line has none.
    /// </summary>
    /// <param name="extras">Called at most once, for the rare fields.</param>
    /// <param name="options">The time zone and the label names that the lines were printed with; its other options don't matter.</param>
    /// <param name="problem">What is wrong at which column (a byte, from 1); null for a line of the tool's own that tells of no flow, such
    /// as its closing one or a blank one.</param>
    /// <returns>Whether it was a flow; if not, <paramref name="e"/> is of no use.</returns>
    public static bool TryParse(
        ReadOnlySpan<byte> line, ref FlowEvent e, Func<FlowExtras> extras, ConntrackTextOptions options, out string? problem)
    {
        problem = null;
        if (IsRemark(line))
            return false;
        ConntrackLine parser = new(line, ref e, extras, options);
        if (parser.TryRead())
            return true;
        problem = parser.Problem;
        return false;
    }

    /// <summary>The tool's warning that the kernel refused deliveries to it: events before this line are missing.</summary>
    public static bool IsLossWarning(ReadOnlySpan<byte> line) => line.StartsWith("WARNING: We have hit ENOBUFS!"u8);

    /// <summary>Text of a line for a message, shortened, with anything but printable ASCII as <c>?</c>.</summary>
    internal static string Quote(ReadOnlySpan<byte> text)
    {
        Span<char> quoted = stackalloc char[Math.Min(text.Length, QuotedLength)];
        for (int i = 0; i < quoted.Length; i++)
            quoted[i] = text[i] is >= 0x20 and < 0x7F ? (char)text[i] : '?';
        return $"\"{quoted}{(text.Length > QuotedLength ? "…" : "")}\"";
    }

    private static bool IsRemark(ReadOnlySpan<byte> line) =>
        line.Trim(" \t"u8).IsEmpty
        || line.IndexOf(" (conntrack-tools): "u8) >= 0 // its closing count, also behind a terminal's ^C
        || IsLossWarning(line)
        || line.StartsWith("This message means that the current netlink socket buffer"u8)
        || line.StartsWith("Please, check --buffer-size in conntrack(8)"u8)
        || line.StartsWith("nfct_labelmap_new: "u8);
}
