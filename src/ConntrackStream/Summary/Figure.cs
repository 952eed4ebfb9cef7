using System.Globalization;

namespace ConntrackStream.Service.Summary;

/// <summary>Numbers as people read them.</summary>
internal static class Figure
{
    private static readonly string[] Units = ["B", "kB", "MB", "GB", "TB", "PB"];

    internal static string Bytes(double bytes)
    {
        int unit = 0;
        for (; bytes >= 1000 && unit < Units.Length - 1; unit++)
            bytes /= 1000;
        return Text($"{bytes:0.#} {Units[unit]}");
    }

    /// <summary>In one unit, rounded: 40 s, 12 min, 5 days.</summary>
    internal static string Time(double seconds) => seconds switch
    {
        < 100 => Text($"{seconds:0.#} s"),
        < 6000 => Text($"{seconds / 60:0.#} min"),
        < 172_800 => Text($"{seconds / 3600:0.#} h"),
        _ => Text($"{seconds / 86_400:0.#} days"),
    };

    internal static string Time(TimeSpan time) => Time(time.TotalSeconds);

    internal static string Number(double number) => Text($"{number:#,0}");

    /// <summary>A part of a whole, in percent.</summary>
    internal static string Share(double part, double whole) => Text($"{(whole > 0 ? 100 * part / whole : 0):0.#} %");

    internal static string Text(FormattableString text) => FormattableString.Invariant(text);
}
