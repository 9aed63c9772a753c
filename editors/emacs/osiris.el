;;; osiris.el --- osiris-lsp in eglot or lsp-mode -*- lexical-binding: t -*-

;;; Commentary:
;; (load "/path/to/osiris.el") in init.el; needs yaml-mode, or yaml-ts-mode (Emacs 29).
;; lsp-mode instead of eglot: (setq osiris-client 'lsp-mode) before that.
;; A wrong yes of `osiris-buffer-p' costs an idle server: it answers only for its own files.

;;; Code:

(defvar osiris-client 'eglot
  "What talks to the server: `eglot' or `lsp-mode'.")

(defvar osiris-command '("osiris-lsp" "server")
  "The command that starts the server.")

(defun osiris-buffer-p ()
  "Tell by name and text whether a buffer is a connections file, pipeline or component."
  (let ((name (file-name-nondirectory (or buffer-file-name "")))
        (case-fold-search nil))
    (save-excursion
      (save-restriction
        (widen)
        (let ((has (lambda (pattern)
                     (goto-char (point-min))
                     (re-search-forward pattern nil t))))
          (cond
           ((funcall has "^[ \t]*#[ \t]*osiris:[ \t]*kind=\\([a-z]+\\)")
            (not (equal (match-string 1) "off")))
           ((funcall has "^[{ ]*[\"']?oml_version[\"']?[ \t]*:") t)
           ((funcall has "^\\(apiVersion\\|jobs\\|runs\\|services\\|pool\\|trigger\\|stages\\)[ \t]*:")
            nil)
           ((string-match-p "connections" name) t)
           ((funcall has "^connections[ \t]*:") (and (funcall has "^version[ \t]*:") t))
           ((funcall has "^configSchema[ \t]*:") t)
           ((funcall has "^steps[ \t]*:")
            (and (funcall has "^[ \t]*\\(-[ \t]+\\)?{?.*\\_<\\(component\\|driver\\)[ \t]*:") t))))))))

(defun osiris-ensure ()
  "Start the server, or connect to it, where a buffer is ours."
  (when (osiris-buffer-p)
    (if (eq osiris-client 'lsp-mode) (lsp-deferred) (eglot-ensure))))

(add-hook 'yaml-mode-hook #'osiris-ensure)
(add-hook 'yaml-ts-mode-hook #'osiris-ensure)

(with-eval-after-load 'eglot
  (dolist (mode '(yaml-mode yaml-ts-mode))
    (add-to-list 'eglot-server-programs (cons mode osiris-command))))

(with-eval-after-load 'lsp-mode
  (lsp-register-client
   (make-lsp-client
    :new-connection (lsp-stdio-connection (lambda () osiris-command))
    :activation-fn (lambda (&rest _) (osiris-buffer-p))
    :add-on? t
    :server-id 'osiris)))

(provide 'osiris)
;;; osiris.el ends here
