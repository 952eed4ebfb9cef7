using System.Globalization;

namespace ConntrackStream.Service.Options;

/// <summary>Sizes: bytes, or a number with KiB, MiB, GiB (1024) or kB, MB, GB (1000).</summary>
public static class SizeText
{
    private static readonly (string Suffix, long Factor)[] Units =
    [
        ("KiB", 1L << 10), ("MiB", 1L << 20), ("GiB", 1L << 30), ("kB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("B", 1), ("", 1),
    ];

    public static bool TryParse(string text, out long bytes)
    {
        string trimmed = text.Trim();
        foreach ((string suffix, long factor) in Units)
        {
            if (!trimmed.EndsWith(suffix, StringComparison.OrdinalIgnoreCase))
                continue;
            NumberStyles style = factor == 1 ? NumberStyles.None : NumberStyles.AllowDecimalPoint;
            if (decimal.TryParse(trimmed[..^suffix.Length].TrimEnd(), style, CultureInfo.InvariantCulture, out decimal number)
                && number <= long.MaxValue / factor)
            {
                bytes = (long)(number * factor);
                return true;
            }
        }

        bytes = 0;
        return false;
    }
}
