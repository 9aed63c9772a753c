;;; osiris.el --- osiris-lsp in eglot or lsp-mode -*- lexical-binding: t -*-

;;; Commentary:
;; (load "/path/to/osiris.el") in init.el; needs yaml-mode, or yaml-ts-mode (Emacs 29).
;; lsp-mode instead of eglot: (setq osiris-client 'lsp-mode) before that.

;;; Code:

(defvar osiris-client 'eglot
  "What talks to the server: `eglot' or `lsp-mode'.")

(defvar osiris-command '("osiris-lsp" "server")
  "The command that starts the server.")

(defun osiris-buffer-p ()
  "Ask `osiris-lsp root' whether a buffer is a connections file, pipeline or component."
  (let ((coding-system-for-write 'utf-8)
        (path buffer-file-name)
        (default-directory temporary-file-directory)) ; that of a new file may not be there
    (and path (not (file-remote-p path)) (executable-find (car osiris-command))
         (save-restriction
           (widen)
           (eq 0 (apply #'call-process-region nil nil (car osiris-command) nil nil nil
                        (append (butlast (cdr osiris-command)) `("root" "--stdin" "--" ,path))))))))

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
