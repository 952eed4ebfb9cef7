using System.Text.Json;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline.Files;

namespace ConntrackStream.Service.Hosting;

/// <summary>
/// Sets sysctls under net.netfilter in one network namespace, and restores them. What they were is on disk before they are changed, so that
/// the next start after a kill -9 knows it, unless the disk does not take it. One that somebody else changed meanwhile is theirs: it is
/// left alone. A value that cannot be set is reported, never fatal. Not thread-safe.
/// </summary>
internal sealed class SysctlGuard
{
    internal const string Directory = "/proc/sys/net/netfilter";

    private readonly IReadOnlyList<string> _known;
    private readonly StateDirectory _state;
    private readonly NetworkNamespace _namespace;
    private readonly NamespaceIdentity _identity;
    private readonly string _file;
    private readonly ILogger _logger;
    private bool _saidUnsaved;
    private readonly Dictionary<string, SysctlChange> _changes = new(StringComparer.Ordinal);

    /// <param name="known">
    /// The sysctls it may set; null for those of <see cref="TapSysctls"/>. A record on disk cannot name any other.
    /// </param>
    internal SysctlGuard(
        StateDirectory state, NetworkNamespace networkNamespace, NamespaceIdentity identity, ILogger logger,
        IReadOnlyList<string>? known = null)
    {
        _known = known ?? TapSysctls.All;
        _state = state;
        _namespace = networkNamespace;
        _identity = identity;
        _file = $"sysctl-{identity.Cookie}.json";
        _logger = logger;
        foreach (SysctlChange change in ReadRecord())
            TakeOver(change);
    }

    /// <summary>Sets a value if it is not set yet; the first original value known is the one that will be restored.</summary>
    /// <param name="name">Such as nf_conntrack_acct.</param>
    internal void Set(string name, string value)
    {
        try
        {
            string current = Read(name);
            if (current == value)
                return;
            string original = _changes.GetValueOrDefault(name)?.Original ?? current;
            _changes[name] = new SysctlChange(name, original, value);
            Save();
            Write(name, value);
            ServiceLog.SysctlSet(_logger, name, original, value);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            ServiceLog.SysctlFailed(_logger, name, value, e.Message);
        }
    }

    /// <summary>
    /// Sets a value again that somebody else has changed. Their value is the one that will be restored: at the end each has it as others
    /// wanted it last.
    /// </summary>
    /// <returns>Why it could not be set; null when it is.</returns>
    internal string? PutBack(string name, string value)
    {
        try
        {
            string current = Read(name);
            if (current != value)
            {
                _changes[name] = new SysctlChange(name, current, value);
                Save();
                Write(name, value);
            }

            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return e.Message;
        }
    }

    /// <summary>What a value is now; null where this kernel has no such sysctl or it cannot be read.</summary>
    internal static string? TryRead(NetworkNamespace networkNamespace, string name)
    {
        try
        {
            return networkNamespace.Run(() => File.ReadAllText($"{Directory}/{name}").Trim());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Restores what an earlier run left behind and this one does not want; call after the last <see cref="Set"/>.</summary>
    internal void RestoreAllBut(IEnumerable<string> wanted)
    {
        foreach (SysctlChange change in _changes.Values.ExceptBy(wanted, static change => change.Name, StringComparer.Ordinal).ToArray())
            Restore(change);
        Save();
    }

    /// <summary>Restores everything. What cannot be restored stays on record for the next start.</summary>
    internal void RestoreAll() => RestoreAllBut([]);

    private void Restore(SysctlChange change)
    {
        try
        {
            string current = Read(change.Name);
            if (current == change.Set)
            {
                Write(change.Name, change.Original);
                ServiceLog.SysctlRestored(_logger, change.Name, change.Original);
            }
            else if (current != change.Original)
            {
                ServiceLog.SysctlChangedByOthers(_logger, change.Name, current, change.Set);
            }

            _changes.Remove(change.Name);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            ServiceLog.SysctlFailed(_logger, change.Name, change.Original, e.Message);
        }
    }

    private void TakeOver(SysctlChange change)
    {
        string? current = TryRead(_namespace, change.Name);
        if (current == change.Set)
        {
            _changes[change.Name] = change;
            ServiceLog.SysctlInherited(_logger, change.Name, change.Set, change.Original);
        }
        else if (current is not null && current != change.Original)
        {
            ServiceLog.SysctlChangedByOthers(_logger, change.Name, current, change.Set);
        }
    }

    private IReadOnlyList<SysctlChange> ReadRecord()
    {
        try
        {
            if (_state.Read(_file) is not { } json)
                return [];
            SysctlRecord record = SysctlRecord.Parse(json);
            if (record.Changes.FirstOrDefault(change => !_known.Contains(change.Name, StringComparer.Ordinal)) is { } stranger)
                throw new JsonException($"'{stranger.Name}' is no sysctl that this service sets");
            // After a reboot every sysctl began anew, and cookies are given out again.
            return record.BootId == _identity.BootId && record.NamespaceCookie == _identity.Cookie ? record.Changes : [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            ServiceLog.SysctlRecordUnusable(_logger, _state.PathOf(_file), e.Message);
            return [];
        }
    }

    /// <summary>
    /// A disk that does not take it is no reason to do without what the stream needs: the originals are still known to this process, and
    /// lost only where it is killed.
    /// </summary>
    private void Save()
    {
        try
        {
            if (_changes.Count == 0)
                _state.Delete(_file);
            else
                _state.Write(_file, new SysctlRecord(_identity.BootId, _identity.Cookie, [.. _changes.Values]).ToJson());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (!_saidUnsaved)
                ServiceLog.SysctlsUnsaved(_logger, _state.PathOf(_file), e.Message);
            _saidUnsaved = true;
        }
    }

    private string Read(string name) => _namespace.Run(() => File.ReadAllText($"{Directory}/{name}").Trim());

    // /proc/sys/net is that of the thread which opens it.
    private void Write(string name, string value) => _namespace.Run(() => File.WriteAllText($"{Directory}/{name}", value));
}
