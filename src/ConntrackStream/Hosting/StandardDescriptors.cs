using System.Text;

namespace ConntrackStream.Service.Hosting;

/// <summary>
/// A process that is started with a standard descriptor closed gives its number to the next file that it opens: the runtime's own pipes,
/// and records or messages would be written into those. By the time this program begins it is too late to take the number back, so the
/// program is executed again, with /dev/null for writing in its place.
/// </summary>
internal static class StandardDescriptors
{
    private const int Last = 2;
    private const string Self = "/proc/self/exe";

    /// <summary>Returns when all three are whole, or cannot be made so; otherwise the process becomes this program once more.</summary>
    internal static void Ensure()
    {
        int[] closed = [.. Enumerable.Range(0, Last + 1).Where(Libc.IsNotInherited)];
        if (closed.Length == 0)
            return;
        string[] arguments = Encoding.UTF8.GetString(File.ReadAllBytes("/proc/self/cmdline")).Split('\0')[..^1];
        if (!Libc.OpenNull(closed))
            return; // else at once, before the runtime misses what was there
        Libc.Execute(Environment.ProcessPath ?? Self, arguments); // the kernel names the process by it: by the other one "exe"
        Libc.Execute(Self, arguments); // the file has another name by now
    }

    /// <exception cref="IOException">There is none.</exception>
    internal static Stream OpenInput() => Libc.CannotRead(0)
        ? throw new IOException("standard input is closed, or open for writing alone: give it something to read")
        : Console.OpenStandardInput();
}
