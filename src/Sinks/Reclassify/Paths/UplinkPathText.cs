using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using ConntrackStream.EventTap.Filtering;

namespace ConntrackStream.Sinks.Reclassify.Paths;

/// <summary>
/// Reads an element of <c>Reclassify:Paths</c>: <c>NAME [mark=V[/M] | id=N] [source=ADDRESS[/LENGTH]]… [dev=INTERFACE]…</c>.
/// </summary>
public static class UplinkPathText
{
    /// <summary>In a rule's place of a path: the flow stays where it is. So no path has this name.</summary>
    public const string Keep = "keep";

    private const int MaxDeviceName = 15; // IFNAMSIZ without its NUL

    /// <param name="text">The element.</param>
    /// <param name="markMask"><c>Reclassify:MarkMask</c>, over which <c>id=</c> is spread.</param>
    /// <param name="path">The path.</param>
    /// <param name="error">What is wrong with which part, and what is allowed.</param>
    public static bool TryParse(
        string text, uint markMask, [NotNullWhen(true)] out UplinkPath? path, [NotNullWhen(false)] out string? error)
    {
        path = null;
        string[] parts = text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length == 0)
        {
            error = "a path begins with its name";
            return false;
        }

        if (NameProblem(parts[0]) is { } problem)
        {
            error = problem;
            return false;
        }

        MarkMatch? mark = null;
        List<IpPrefix> sources = [];
        List<string> devices = [];
        foreach (string part in parts.AsSpan(1))
        {
            error = Read(part, markMask, ref mark, sources, devices);
            if (error is not null)
                return false;
        }

        if (mark is null && sources.Count == 0 && devices.Count == 0)
        {
            error = $"path {parts[0]} has neither mark=, id=, source= nor dev=, so no flow could be recognised on it";
            return false;
        }

        path = new UplinkPath { Name = parts[0], Mark = mark, Sources = sources, Devices = devices };
        error = null;
        return true;
    }

    /// <summary>What is wrong with a path's name; null when nothing is.</summary>
    internal static string? NameProblem(string name)
    {
        if (name.Length == 0 || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-'))
            return $"'{name}' is no name of a path: letters, digits and . _ - only";
        return name == Keep ? $"a path cannot be named {Keep}: rules say that for flows to be left alone" : null;
    }

    private static string? Read(string part, uint markMask, ref MarkMatch? mark, List<IpPrefix> sources, List<string> devices)
    {
        int equals = part.IndexOf('=', StringComparison.Ordinal);
        string value = part[(equals + 1)..];
        switch (equals < 0 ? "" : part[..equals])
        {
            case "mark" or "id" when mark is not null:
                return $"'{part}': a path has one mark= or one id=";
            case "mark":
                return ReadMark(value, ref mark);
            case "id":
                return ReadId(value, markMask, ref mark);
            case "source":
                if (!IpPrefix.TryParse(value, out IpPrefix source, out string? error))
                    return error;
                sources.Add(source);
                return null;
            case "dev" when value.Length is 0 or > MaxDeviceName || value.Contains('/', StringComparison.Ordinal):
                return $"'{part}' names no interface: 1 to {MaxDeviceName} characters without /";
            case "dev":
                devices.Add(value);
                return null;
            default:
                return $"'{part}' is not known; allowed are mark=VALUE[/MASK], id=NUMBER, source=ADDRESS[/LENGTH], dev=INTERFACE";
        }
    }

    private static string? ReadMark(string value, ref MarkMatch? mark)
    {
        if (!MarkMatch.TryParse(value, out MarkMatch match, out string? error))
            return error;
        mark = match;
        return null;
    }

    private static string? ReadId(string value, uint mask, ref MarkMatch? mark)
    {
        uint largest = MarkSpread.LargestInterfaceId(mask);
        if (!uint.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out uint id) || id < 1 || id > largest)
            return string.Create(
                CultureInfo.InvariantCulture,
                $"'id={value}': mwan3's interfaces have numbers 1 to {largest} under the mask 0x{mask:x}");
        mark = new MarkMatch(MarkSpread.ToMark(id, mask), mask);
        return null;
    }
}
