using System.Globalization;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline;

namespace ConntrackStream.Service.Api;

/// <summary>
/// Where a list goes on, as a text that clients pass back and do not look into. Rows of the view never move while a flow lives, so a cursor
/// stays good whatever starts and ends meanwhile; only another run of the service knows nothing of it.
/// </summary>
/// <param name="Run">Random for each run.</param>
internal readonly record struct PageCursor(ulong Run, FlowPosition Position)
{
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"{Run:x16}{(Position.Family == FlowFamily.IPv6 ? '6' : '4')}{Position.Slot:x}");

    internal static bool TryParse(string text, out PageCursor cursor)
    {
        const int RunLength = 16;
        cursor = default;
        if (text.Length is <= RunLength + 1 or > RunLength + 9
            || text[RunLength] is not ('4' or '6')
            || !ulong.TryParse(text.AsSpan(0, RunLength), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong run)
            || !int.TryParse(text.AsSpan(RunLength + 1), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int slot)
            || slot < 0)
            return false;
        cursor = new PageCursor(run, new FlowPosition(text[RunLength] == '6' ? FlowFamily.IPv6 : FlowFamily.IPv4, slot));
        return true;
    }
}
