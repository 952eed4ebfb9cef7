using System.Globalization;

namespace ConntrackStream.Tests;

/// <summary>Parents and children, by /proc.</summary>
internal static class ProcessTree
{
    /// <summary>Children, their children and so on, nearest first. What has been given to another parent is not among them.</summary>
    internal static IReadOnlyList<int> DescendantsOf(int process)
    {
        ILookup<int, int> children = Directory.EnumerateDirectories("/proc")
            .Select(static directory => int.TryParse(Path.GetFileName(directory), CultureInfo.InvariantCulture, out int id) ? id : 0)
            .Where(static id => id != 0)
            .ToLookup(ParentOf);
        List<int> found = [.. children[process]];
        for (int i = 0; i < found.Count; i++)
            found.AddRange(children[found[i]]);
        return found;
    }

    /// <summary>The clock tick since boot at which it was started; null when there is no such process. With its id it is unique.</summary>
    internal static long? StartOf(int process) => Field(process, 22) is { } start ? long.Parse(start, CultureInfo.InvariantCulture) : null;

    private static int ParentOf(int process) => Field(process, 4) is { } parent ? int.Parse(parent, CultureInfo.InvariantCulture) : -1;

    /// <summary>
    /// A field of /proc/PID/stat after the second, the program's name in brackets, which may have blanks; numbered from 1 as in proc(5).
    /// </summary>
    private static string? Field(int process, int number)
    {
        try
        {
            string stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/stat"));
            return stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[number - 3];
        }
        catch (IOException)
        {
            return null; // it has ended
        }
    }
}
