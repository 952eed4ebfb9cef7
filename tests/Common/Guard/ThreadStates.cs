using System.Globalization;
using System.Text;

namespace ConntrackStream.Tests;

/// <summary>
/// Where each thread of a process stands in the kernel: state, system call with its arguments, wait channel, and the kernel's stack where
/// root may read it.
/// </summary>
internal static class ThreadStates
{
    internal static string Of(int process)
    {
        StringBuilder text = new();
        string directory = string.Create(CultureInfo.InvariantCulture, $"/proc/{process}");
        text.Append(CultureInfo.InvariantCulture, $"process {process}: {Read(directory, "cmdline").Replace('\0', ' ')}\n");
        foreach (string thread in Threads(directory))
        {
            string stat = Read(thread, "stat");
            char state = stat.ElementAtOrDefault(stat.LastIndexOf(')') + 2);
            string name = Read(thread, "comm"),
                call = Read(thread, "syscall"),
                stack = string.Join(" < ", Read(thread, "stack").Split('\n').Select(Function));
            text.Append(
                CultureInfo.InvariantCulture,
                $"  {Path.GetFileName(thread)} {name}: {state}, wchan {Read(thread, "wchan")}, syscall {call}, stack {stack}\n");
        }

        return text.ToString();
    }

    /// <summary>The names of a process's threads.</summary>
    internal static IEnumerable<string> NamesOf(int process) =>
        Threads(string.Create(CultureInfo.InvariantCulture, $"/proc/{process}")).Select(static thread => Read(thread, "comm"));

    /// <summary>Of a line such as <c>[&lt;0&gt;] futex_wait+0x67/0x120</c>.</summary>
    private static string Function(string frame) => frame.Split(' ')[^1].Split('+')[0];

    private static string[] Threads(string directory)
    {
        try
        {
            return Directory.GetDirectories($"{directory}/task");
        }
        catch (IOException)
        {
            return []; // it has ended
        }
    }

    private static string Read(string directory, string file)
    {
        try
        {
            return File.ReadAllText($"{directory}/{file}").Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "-";
        }
    }
}
