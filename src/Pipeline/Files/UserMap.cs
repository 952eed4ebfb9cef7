using System.Globalization;

namespace ConntrackStream.Pipeline.Files;

/// <summary>
/// Which users a user namespace has (/proc/self/uid_map, user_namespaces(7)). A file of any other user seems to belong to the overflow
/// user, and chown(2) is refused inside, to root too.
/// </summary>
public sealed class UserMap
{
    private const uint OverflowUser = 65534; // DEFAULT_OVERFLOWUID; /proc/sys/kernel/overflowuid
    private const uint All = uint.MaxValue; // ids of the first user namespace

    private readonly List<(uint Inside, uint Outside, uint Length)> _ranges = [];

    /// <param name="text">Lines of three numbers: first user inside, first user outside, how many.</param>
    public UserMap(string text)
    {
        foreach (string line in text.Split('\n'))
        {
            if (line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [{ } inside, { } outside, { } length])
                _ranges.Add((Number(inside), Number(outside), Number(length)));
        }
    }

    /// <summary>That of this process; without /proc, one of all users.</summary>
    public static UserMap Own
    {
        get
        {
            try
            {
                return new UserMap(File.ReadAllText("/proc/self/uid_map"));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return new UserMap("");
            }
        }
    }

    /// <summary>What gives a file to another user.</summary>
    /// <param name="owner">As seen inside.</param>
    /// <param name="wanted">Inside.</param>
    public string Advice(uint owner, uint wanted)
    {
        string here = string.Create(CultureInfo.InvariantCulture, $"chown {wanted}");
        if (owner != OverflowUser || _ranges.Count == 0 || _ranges.Exists(static range => range.Length == All))
            return here;
        string there = string.Create(
            CultureInfo.InvariantCulture, $"this user namespace lacks its owner: chown {Outside(wanted)} outside of it");
        return Outside(OverflowUser) is null ? there : $"{here}; if that is refused, {there}";
    }

    private uint? Outside(uint inside)
    {
        int at = _ranges.FindIndex(range => inside >= range.Inside && inside - range.Inside < range.Length);
        return at < 0 ? null : _ranges[at].Outside + (inside - _ranges[at].Inside);
    }

    private static uint Number(string text) =>
        uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out uint number) ? number : 0;
}
