using System.Text;

namespace ConntrackStream.Service.Cli;

/// <summary>The name that this program was called by (argv[0]), which the framework does not tell of a managed program.</summary>
internal static class CalledName
{
    private const string CommandLineOfProcess = "/proc/self/cmdline"; // words, each with a NUL behind it

    /// <summary>Null when it cannot be read: there is no /proc.</summary>
    internal static string? Read()
    {
        try
        {
            byte[] words = File.ReadAllBytes(CommandLineOfProcess);
            int end = Array.IndexOf(words, (byte)0);
            return end > 0 ? Encoding.UTF8.GetString(words, 0, end) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
