using System.Globalization;

namespace ConntrackStream.Service.Output;

/// <summary>Amounts of bytes for people, in units of 1000.</summary>
internal static class SizeText
{
    private static readonly string[] Units = ["B", "kB", "MB", "GB", "TB", "PB"];

    internal static string Of(double bytes)
    {
        int unit = 0;
        for (; bytes >= 1000 && unit < Units.Length - 1; unit++)
            bytes /= 1000;
        return string.Create(CultureInfo.InvariantCulture, $"{bytes:0.#} {Units[unit]}");
    }
}
